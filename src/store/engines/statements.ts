import { channel } from 'node:diagnostics_channel';

/** The text of each statement as it is sent, for who counts them; nobody listens in production. */
export const statements = channel('gatehouse.statements');
