import { element, renderXml, type Element } from './xml.ts'

/** What goes back to the SDK. */
export interface AwsAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export const xmlAnswer = (operation: string, children: ReadonlyArray<Element>): AwsAnswer => ({
  status: 200,
  contentType: 'text/xml;charset=UTF-8',
  body: renderXml(element(`${operation}Response`, [element('requestId', 'proxy'), ...children])),
})

export const jsonAnswer = (body: unknown, status = 200): AwsAnswer => ({
  status,
  contentType: 'application/x-amz-json-1.1',
  body: JSON.stringify(body),
})

const serverCodes = new Set(['RequestLimitExceeded', 'InternalError', 'ServiceUnavailable', 'InternalFailure'])

/** An error in the words of the protocol that a service speaks. */
export const errorAnswer = (service: string, code: string, message: string, given?: number): AwsAnswer => {
  const status = given ?? (code === 'DryRunOperation' ? 412 : serverCodes.has(code) ? 503 : 400)
  if (service === 'ec2')
    return {
      status,
      contentType: 'text/xml;charset=UTF-8',
      body: renderXml(
        element('Response', [
          element('Errors', [element('Error', [element('Code', code), element('Message', message)])]),
          element('RequestID', 'proxy'),
        ]),
      ),
    }
  if (service === 'iam' || service === 'sts')
    return {
      status,
      contentType: 'text/xml',
      body: renderXml(
        element('ErrorResponse', [
          element('Error', [element('Type', 'Sender'), element('Code', code), element('Message', message)]),
          element('RequestId', 'proxy'),
        ]),
      ),
    }
  return jsonAnswer({ __type: code, message }, status)
}
