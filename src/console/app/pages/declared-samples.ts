/** What a new action may begin with; of fields that every org has, but for the class and the flow, which are yours. */
export const SAMPLES = [
  [
    'Find records',
    {
      name: 'OpenDeals',
      title: 'Open deals of an account',
      description:
        'Lists the open opportunities of an account by its exact name. Use when somebody asks what is under way.',
      operation: 'query',
      input: { account: { type: 'text', maxLength: 255, required: true, description: 'Exact name of the account' } },
      object: 'Opportunity',
      fields: ['Name', 'StageName', 'CloseDate'],
      where: [
        { field: 'Account.Name', is: { input: 'account' } },
        { field: 'IsClosed', is: { value: false } },
      ],
      orderBy: { field: 'CloseDate' },
      limit: 20,
    },
  ],
  [
    'Make a record',
    {
      name: 'AskForQuote',
      title: 'Ask for a quote',
      description: 'Makes a lead of somebody who asks for a quote. Ask for family name and company first.',
      operation: 'create',
      input: {
        familyName: { type: 'text', maxLength: 80, required: true, description: 'Family name' },
        company: { type: 'text', maxLength: 255, required: true, description: 'Name of the company' },
      },
      object: 'Lead',
      set: { LastName: { input: 'familyName' }, Company: { input: 'company' }, LeadSource: { value: 'Web' } },
    },
  ],
  [
    'Call an Apex class',
    {
      name: 'OrderStatus',
      title: 'Order status',
      description: 'Tells where an order stands. Use when a customer asks about an order. Ask for its number.',
      operation: 'apex-rest',
      method: 'GET',
      path: '/orders/{orderNumber}',
      input: {
        orderNumber: { type: 'text', pattern: '[0-9]{8}', maxLength: 8, required: true, description: 'Eight digits' },
      },
      returns: ['status', 'lines[].sku'],
    },
  ],
  [
    'Run a flow',
    {
      name: 'RemindOfOrder',
      title: 'Remind of an order',
      description: 'Sends the customer a reminder of an order. Use only when the customer asks for it.',
      operation: 'flow',
      flow: 'Order_Reminder',
      input: {
        orderNumber: { type: 'text', pattern: '[0-9]{8}', maxLength: 8, required: true, description: 'Eight digits' },
      },
      inputs: { orderNumber: { input: 'orderNumber' } },
    },
  ],
] as const;
