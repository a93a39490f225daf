// A model that always says the same, over the interface that OpenAI defined.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Question {
  response_format?: { json_schema?: { schema?: { properties?: Record<string, unknown> } } };
}

export class Model {
  private constructor(
    private readonly server: Server,
    /** The settings of VS Code that make it the classifier. */
    readonly settings: object,
  ) {}

  /** One that blocks every call, and says why. */
  static async blocks(reason: string): Promise<Model> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        const question = JSON.parse(body || '{}') as Question;
        const wanted = question.response_format?.json_schema?.schema?.properties ?? {};
        const said = { thinking: 'What the call does.', shouldBlock: true, reason };
        const answer = Object.fromEntries(Object.entries(said).filter(([name]) => name in wanted));
        const message = { role: 'assistant', content: JSON.stringify(answer), refusal: null };
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({
            id: 'chatcmpl-1',
            object: 'chat.completion',
            created: 1_767_225_600,
            model: 'scripted-model',
            choices: [{ index: 0, finish_reason: 'stop', message }],
            usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
          }),
        );
      });
    });
    await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
    const { port } = server.address() as AddressInfo;
    const prefix = 'countersign.permissions.autoMode.classifier';
    return new Model(server, {
      [`${prefix}.baseUrl`]: `http://127.0.0.1:${port}/v1`,
      [`${prefix}.model`]: 'scripted-model',
    });
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
