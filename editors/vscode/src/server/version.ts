// The handshake: whether this extension and a server understand each other.

/** The protocol that this extension speaks: versions of the server with the same first two numbers. */
export const PROTOCOL_VERSION = '0.1';

/** Why they do not, with the remedy; nothing if they do. */
export function disagreement(server: string | undefined): string | undefined {
  if (server === undefined) {
    return 'The program speaks no protocol of Countersign. Check countersign.server.path.';
  }
  const [, numbers] = /^(\d+\.\d+)\.\d+/.exec(server) ?? [];
  if (numbers === PROTOCOL_VERSION) {
    return undefined;
  }
  return `The server has version ${server}, and this extension needs ${PROTOCOL_VERSION}.x. Update the older of both.`;
}
