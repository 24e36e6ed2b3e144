/** What an event may be about: 80 objects in the describe of a plain Developer org, most of them of features it does not use. */
export const whatTargets = (
  'Account ApptBundleAggrDurDnscale ApptBundleAggrPolicy ApptBundleConfig ApptBundlePolicy ApptBundlePropagatePolicy ' +
  'ApptBundleRestrictPolicy ApptBundleSortPolicy Asset AssetRelationship AssetWarranty AssignedResource ' +
  'AttributeDefinition AttributePicklist AttributePicklistValue Campaign Case CommSubscriptionConsent ContactRequest ' +
  'Contract ContractLineItem CreditMemo DelegatedAccount DocumentChecklistItem Entitlement EntitlementContact ' +
  'FulfillmentOrder Image Invoice JobProfile LegalEntity ListEmail Location MaintenanceAsset MaintenancePlan ' +
  'MaintenanceWorkRule MessagingSession Opportunity Order PartyConsent Payment PaymentAuthorization PaymentGroup Product2 ' +
  'ProductConsumed ProductFulfillmentLocation ProductItem ProductRequest ProductRequestLineItem ProductRequired ' +
  'ProductServiceCampaign ProductServiceCampaignItem ProductTransfer ProductWarrantyTerm Recommendation ResourceAbsence ' +
  'ResourcePreference ReturnOrder ReturnOrderLineItem SerializedProduct ServiceAppointment ServiceContract ServiceCrew ' +
  'ServiceCrewMember ServiceResource ServiceTerritory ServiceTerritoryLocation Shift ShiftPattern Shipment SkillRequirement ' +
  'SocialPost Solution TimeSheet TimeSheetEntry TravelMode Visit WarrantyTerm WorkOrder WorkOrderLineItem'
).split(' ');
