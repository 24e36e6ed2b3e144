/** The picklists that a new org starts with. */

export const industries = [
  'Agriculture',
  'Apparel',
  'Banking',
  'Biotechnology',
  'Chemicals',
  'Communications',
  'Construction',
  'Consulting',
  'Education',
  'Electronics',
  'Energy',
  'Engineering',
  'Entertainment',
  'Environmental',
  'Finance',
  'Food & Beverage',
  'Government',
  'Healthcare',
  'Hospitality',
  'Insurance',
  'Machinery',
  'Manufacturing',
  'Media',
  'Not For Profit',
  'Recreation',
  'Retail',
  'Shipping',
  'Technology',
  'Telecommunications',
  'Transportation',
  'Utilities',
  'Other',
]; // prettier-ignore

export const leadSources = ['Web', 'Phone Inquiry', 'Partner Referral', 'Purchased List', 'Other'];
export const ratings = ['Hot', 'Warm', 'Cold'];
export const salutations = ['Mr.', 'Ms.', 'Mrs.', 'Dr.', 'Prof.', 'Mx.'];
export const forecastCategories = ['Omitted', 'Pipeline', 'Best Case', 'Commit', 'Closed'];

/** What a stage decides about its opportunity. */
export interface Stage {
  readonly probability: number;
  readonly isClosed: boolean;
  readonly isWon: boolean;
  readonly forecast: string;
}

const open = (probability: number, forecast: string): Stage => ({
  probability,
  isClosed: false,
  isWon: false,
  forecast,
});

export const stages = new Map<string, Stage>([
  ['Prospecting', open(10, 'Pipeline')],
  ['Qualification', open(10, 'Pipeline')],
  ['Needs Analysis', open(20, 'Pipeline')],
  ['Value Proposition', open(50, 'Pipeline')],
  ['Id. Decision Makers', open(60, 'Pipeline')],
  ['Perception Analysis', open(70, 'Pipeline')],
  ['Proposal/Price Quote', open(75, 'Best Case')],
  ['Negotiation/Review', open(90, 'Commit')],
  ['Closed Won', { probability: 100, isClosed: true, isWon: true, forecast: 'Closed' }],
  ['Closed Lost', { probability: 0, isClosed: true, isWon: false, forecast: 'Omitted' }],
]);
