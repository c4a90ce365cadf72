/** What the controller may do in Azure, as role definitions and as an ARM template. */
export { actionsAt, allRights } from './calls.ts'
export { armTemplate, roleDocuments } from './arm-template.ts'
export { controllerRoles } from './role-definitions.ts'
