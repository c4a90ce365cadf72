#!/usr/bin/env node
import { launch } from '../../../tools/launch.mjs'

await launch({ entry: 'packages/controller/src/main.ts', args: process.argv.slice(2) })
