import { runProcess } from '@scantling/controller'
import { provider } from '@scantling/provider-azure'

/* What `npm run bundle` makes into one file. */
await runProcess(process, { name: 'azure', provider })
