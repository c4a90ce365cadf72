import { runProcess } from '@scantling/controller'
import { provider } from '@scantling/provider-kwok'

/* What `npm run bundle` makes into one file. */
await runProcess(process, { name: 'kwok', provider })
