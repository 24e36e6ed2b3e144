import type { Model } from '../../ports/model.ts';
import type { About } from '../chat.ts';
import { createOpenAiModel } from './openai-model.ts';

export interface ModelSettings {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly model: string | undefined;
}

export const DEMO_MODEL = 'gatehouse-demo';
const DEFAULT_MODEL = 'gpt-4.1-mini';

/** Without a key and an endpoint of its own, the demo model plays: behind the same wire, so that nothing else differs. */
export function describeModel({ apiKey, baseUrl, model }: ModelSettings): Pick<About, 'model' | 'isDemo'> {
  const isDemo = apiKey === undefined && baseUrl === undefined;
  return { model: isDemo ? DEMO_MODEL : (model ?? DEFAULT_MODEL), isDemo };
}

export async function openModel(settings: ModelSettings): Promise<Model> {
  const { model, isDemo } = describeModel(settings);
  if (isDemo) {
    const { createDemoFetch } = await import('../demo/server.ts');
    return createOpenAiModel({
      model,
      isDemo,
      apiKey: 'none',
      baseUrl: 'http://demo.invalid/v1',
      fetch: createDemoFetch(),
    });
  }
  const { apiKey = 'none', baseUrl } = settings;
  return createOpenAiModel({ model, apiKey, ...(baseUrl === undefined ? {} : { baseUrl }) });
}
