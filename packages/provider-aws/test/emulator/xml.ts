/** An element of the XML that EC2 answers with: text, or children in their order. */
export interface Element {
  readonly name: string
  readonly text: string
  readonly children: ReadonlyArray<Element>
}

export const element = (name: string, content: string | number | ReadonlyArray<Element>): Element =>
  typeof content === 'object' ? { name, text: '', children: content } : { name, text: String(content), children: [] }

/** A list as EC2 writes it. */
export const itemsOf = (name: string, items: ReadonlyArray<ReadonlyArray<Element>>): Element =>
  element(
    name,
    items.map((children) => element('item', children)),
  )

const escapes = [
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
] as const

const unescape = (text: string): string =>
  escapes.reduceRight((all, [entity, character]) => all.replaceAll(entity, character), text)
const escape = (text: string): string =>
  escapes.reduce((all, [entity, character]) => all.replaceAll(character, entity), text)

/** Reads an answer of moto: elements without attributes that matter. */
export const parseXml = (xml: string): Element => {
  const root = { name: '', text: '', children: [] as Array<Element> }
  const open = [root]
  for (const [, prolog, closing, name = '', empty, text = ''] of xml.matchAll(
    /(<\?[^>]*\?>)|<(\/?)([\w:.-]+)[^>]*?(\/?)>|([^<]+)/g,
  )) {
    const parent = open.at(-1) ?? root
    if (prolog !== undefined) continue
    if (name === '') parent.text += unescape(text)
    else if (closing === '/') {
      const done = open.pop() ?? root
      if (done.children.length > 0) done.text = ''
    } else {
      const child = { name, text: '', children: [] as Array<Element> }
      parent.children.push(child)
      if (empty !== '/') open.push(child)
    }
  }
  return root.children[0] ?? root
}

export const renderXml = (root: Element): string => `<?xml version="1.0" encoding="UTF-8"?>${render(root)}`

const render = ({ name, text, children }: Element): string =>
  `<${name}>${children.length === 0 ? escape(text) : children.map(render).join('')}</${name}>`

export const childOf = (parent: Element, name: string): Element | undefined =>
  parent.children.find((child) => child.name === name)

export const textOf = (parent: Element, ...path: ReadonlyArray<string>): string => {
  let at: Element | undefined = parent
  for (const name of path) at = at && childOf(at, name)
  return at?.text ?? ''
}

/** The element with its children of one name replaced by what `change` makes of each. */
export const mapChildren = (
  parent: Element,
  name: string,
  change: (child: Element) => ReadonlyArray<Element>,
): Element => ({
  ...parent,
  children: parent.children.flatMap((child) => (child.name === name ? change(child) : [child])),
})
