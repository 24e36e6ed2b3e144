/** Fields that the org computes: people's full names, what a stage decides, what a status closes. */
import { stages } from '../schema/picklists.ts';
import type { Row, Value } from '../table.ts';

type Draft = Record<string, Value | undefined>;

/** Mutates the draft; `changed` are the fields of this write, `before` the record as it was. */
export function derive(
  object: string,
  draft: Draft,
  changed: ReadonlySet<string>,
  before: Row | undefined,
  stamp: string,
): void {
  switch (object) {
    case 'Contact':
    case 'Lead':
    case 'User':
      draft.Name = [draft.FirstName, draft.LastName].filter(Boolean).join(' ');
      return;
    case 'Opportunity':
      deriveOpportunity(draft, changed);
      return;
    case 'Case':
      draft.IsClosed = draft.Status === 'Closed';
      if (draft.IsClosed && !before?.IsClosed) draft.ClosedDate = stamp;
      if (!draft.IsClosed) draft.ClosedDate = undefined;
      return;
    case 'Task':
      draft.IsClosed = draft.Status === 'Completed';
      draft.IsHighPriority = draft.Priority === 'High';
  }
}

const forecastNames: Readonly<Record<string, string>> = { 'Best Case': 'BestCase', Commit: 'Forecast' };

function deriveOpportunity(draft: Draft, changed: ReadonlySet<string>): void {
  const stage = stages.get(String(draft.StageName));
  if (changed.has('StageName')) {
    draft.IsClosed = stage?.isClosed ?? false;
    draft.IsWon = stage?.isWon ?? false;
    if (!changed.has('Probability')) draft.Probability = stage?.probability ?? 0;
    if (!changed.has('ForecastCategoryName')) draft.ForecastCategoryName = stage?.forecast ?? 'Pipeline';
  }
  const forecast = String(draft.ForecastCategoryName ?? 'Pipeline');
  draft.ForecastCategory = forecastNames[forecast] ?? forecast;
  draft.ExpectedRevenue =
    typeof draft.Amount === 'number' ? Math.round(draft.Amount * Number(draft.Probability ?? 0)) / 100 : undefined;
  const [year = 0, month = 1] = String(draft.CloseDate).split('-').map(Number);
  draft.FiscalYear = year;
  draft.FiscalQuarter = Math.ceil(month / 3);
}
