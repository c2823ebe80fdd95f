// Bento's own SDK for Node, unmodified, through every operation that it and the fake have in
// common. Prints the name of each call, and ends with 1 at the first that is not as it should be.
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const { Analytics } = await import(pathToFileURL(process.env.BENTO_NODE_SDK));
const bento = new Analytics({
  authentication: { publishableKey: "pk_node", secretKey: "sk_node" },
  siteUuid: "0123456789abcdef0123456789abcdef",
  clientOptions: { baseUrl: process.env.BENTO_BASE_URL },
});
const v1 = bento.V1, email = "ari@example.com";
const calls = {
  importSubscribers: async () => assert.equal(await v1.Batch.importSubscribers({ subscribers: [{ email, first_name: "Ari", plan: "pro" }] }), 1),
  importEvents: async () => assert.equal(await v1.Batch.importEvents({ events: [{ email, type: "$signed_up" }, { email, type: "x", details: { a: 1 } }] }), 2),
  sendTransactionalEmails: async () => assert.equal(await v1.Batch.sendTransactionalEmails({
    emails: [{ to: email, from: "a@acme.example", subject: "s", html_body: "<p>h</p>", transactional: true, personalizations: { n: 1 } }] }), 1),
  createEmails: async () => assert.equal(await v1.Broadcasts.createEmails([{ to: email, from: "a@acme.example", subject: "s", html_body: "h", transactional: true }]), 1),
  createBroadcast: async () => assert.equal((await v1.Broadcasts.createBroadcast([{
    name: "n", subject: "s", content: "c", type: "plain", from: { name: "A", email: "a@acme.example" }, batch_size_per_hour: 1000 }])).results, 1),
  getBroadcasts: async () => assert.ok(Array.isArray(await v1.Broadcasts.getBroadcasts())),
  addTag: async () => assert.equal(await v1.Commands.addTag({ email, tagName: "vip" }), 1),
  removeTag: async () => assert.equal(await v1.Commands.removeTag({ email, tagName: "vip" }), 1),
  addField: async () => assert.equal(await v1.Commands.addField({ email, field: { key: "seats", value: 3 } }), 1),
  removeField: async () => assert.equal(await v1.Commands.removeField({ email, fieldName: "seats" }), 1),
  unsubscribe: async () => assert.equal(await v1.Commands.unsubscribe({ email }), 1),
  subscribe: async () => assert.equal(await v1.Commands.subscribe({ email }), 1),
  changeEmail: async () => assert.equal(await v1.Commands.changeEmail({ oldEmail: "bo@example.com", newEmail: "cy@example.com" }), 1),
  getSubscribers: async () => assert.equal((await v1.Subscribers.getSubscribers({ email })).attributes.fields.plan, "pro"),
  createSubscriber: async () => assert.equal((await v1.Subscribers.createSubscriber({ email: "di@example.com" })).attributes.email, "di@example.com"),
  createTag: async () => assert.equal((await v1.Tags.createTag({ name: "news" })).attributes.name, "news"),
  getTags: async () => assert.ok((await v1.Tags.getTags()).length >= 2),
  deleteTag: async () => {
    const tag = (await v1.Tags.getTags()).find(t => t.attributes.name === "news");
    assert.match((await v1.Tags.deleteTag(tag.id, { name: "news" })).message, /deleted/);
  },
  createField: async () => assert.equal((await v1.Fields.createField({ key: "loyalty_points" })).attributes.name, "Loyalty Points"),
  getFields: async () => assert.ok((await v1.Fields.getFields()).length >= 2),
  getSequences: async () => assert.equal((await v1.Sequences.getSequences())[0].id, "sequence_1"),
  createSequenceEmail: async () => assert.equal((await v1.Sequences.createSequenceEmail("sequence_1", { subject: "s", html: "h", delay_interval: "days", delay_interval_count: 2 })).attributes.subject, "s"),
  getEmailTemplate: async () => assert.equal((await v1.EmailTemplates.getEmailTemplate({ id: 1 })).attributes.subject, "Welcome"),
  updateEmailTemplate: async () => assert.equal((await v1.EmailTemplates.updateEmailTemplate({ id: 1, subject: "new" })).attributes.subject, "new"),
  getWorkflows: async () => assert.equal((await v1.Workflows.getWorkflows())[0].attributes.status, "live"),
  getResponses: async () => assert.equal((await v1.Forms.getResponses("form_1")).length, 1),
  getSiteStats: async () => assert.equal((await v1.Stats.getSiteStats()).user_count, 3),
  getSegmentStats: async () => assert.equal((await v1.Stats.getSegmentStats("segment_1")).user_count, 3),
  getReportStats: async () => assert.equal((await v1.Stats.getReportStats("report_1")).data, 3),
  getAdsStats: async () => assert.equal((await v1.Stats.getAdsStats({ dimension: "source" })).dimension, "source"),
  validateEmail: async () => assert.equal(await v1.Experimental.validateEmail({ email }), true),
  guessGender: async () => assert.equal((await v1.Experimental.guessGender({ name: "Ari" })).gender, null),
  geolocate: async () => await v1.Experimental.geolocate({ ip: "192.0.2.1" }),
  checkBlacklist: async () => assert.equal((await v1.Experimental.checkBlacklist({ domain: "example.com" })).query, "example.com"),
  getContentModeration: async () => assert.equal((await v1.Experimental.getContentModeration("Hello")).valid, true),
  track: async () => assert.equal(await v1.track({ email, type: "$custom", fields: { first_name: "Ari" } }), true),
  trackPurchase: async () => assert.equal(await v1.trackPurchase({ email, purchaseDetails: { unique: { key: "1" }, value: { amount: 100, currency: "USD" } } }), true),
  tagSubscriber: async () => assert.equal(await v1.tagSubscriber({ email, tagName: "a" }), true),
  addSubscriber: async () => assert.equal(await v1.addSubscriber({ email }), true),
  removeSubscriber: async () => assert.equal(await v1.removeSubscriber({ email }), true),
  updateFields: async () => assert.equal(await v1.updateFields({ email, fields: { plan: "free" } }), true),
};
for (const [name, call] of Object.entries(calls)) {
  try {
    await call();
    console.log(name);
  } catch (error) {
    console.error(name + ":", error);
    process.exit(1);
  }
}
