#!/usr/bin/env node
import { launch } from '../../../tools/launch.mjs'

await launch({ entry: 'packages/cli/src/main.ts', args: process.argv.slice(2) })
