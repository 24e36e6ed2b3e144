/** Events of one org through one connection, as long as somebody listens. */
export interface EventSource {
  /** Ends with its signal, or for a reason that another try would not cure now; throws what the connection throws. */
  run(channels: readonly Channel[], sink: EventSink, signal: AbortSignal): Promise<StreamEnd>;
}

/** `after`: a replay id as text. It is opaque, grows, and has holes. */
export type From = 'new' | 'all' | { readonly after: string };

export interface Channel {
  readonly name: string;
  readonly from: From;
}

export interface RawEvent {
  readonly channel: string;
  /** As it came; whole numbers too long for a number are texts. */
  readonly data: unknown;
}

export interface EventSink {
  /** The org listens for this channel from now on. */
  opened(channel: string): Promise<void>;
  /** Returns once they are durable: until then the org is not asked for more. */
  take(events: readonly RawEvent[]): Promise<void>;
  /** Where to go on from instead, or `drop` for this channel and `stop` for all. */
  refused(channel: string, why: StreamFailure): Promise<From | 'drop' | 'stop'>;
}

export interface StreamFailure {
  readonly kind: 'replay_refused' | 'delivery_limit' | 'no_right' | 'no_channel' | 'our_fault';
  /** Salesforce's words. */
  readonly quote: string;
}

export interface StreamEnd {
  readonly why: 'stopped' | 'no_channels' | 'client_limit' | 'delivery_limit' | 'failed';
  readonly quote: string;
}
