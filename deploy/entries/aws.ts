import { runProcess } from '@scantling/controller'
import { provider } from '@scantling/provider-aws'

/* What `npm run bundle` makes into one file. */
await runProcess(process, { name: 'aws', provider })
