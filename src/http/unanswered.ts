import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Requests that one connection may have unanswered; browsers and proxies have one. Node hands over all that one read
 * brought: 30 connections of 64 kB each, written without a key and never read, held this process for 40 s and 3 GB.
 */
const MOST_UNANSWERED = 8;

export function fewUnanswered(answer: RequestListener): RequestListener {
  const open = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    // What the same read still holds comes after the end of the connection, too.
    if (socket.destroyed) return;
    const unanswered = (open.get(socket) ?? 0) + 1;
    if (unanswered > MOST_UNANSWERED) {
      socket.destroy();
      return;
    }
    open.set(socket, unanswered);
    response.once('close', () => open.set(socket, (open.get(socket) ?? 1) - 1));
    answer(request, response);
  };
}
