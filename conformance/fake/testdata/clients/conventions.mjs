// What the conventions page shows for Node, to the letter but for the address.
const credentials = Buffer.from(`${process.env.BENTO_PUBLISHABLE_KEY}:${process.env.BENTO_SECRET_KEY}`).toString("base64");
const answer = await fetch(`${process.env.BENTO_BASE_URL}/batch/events?site_uuid=${process.env.BENTO_SITE_UUID}`, {
  method: "POST",
  headers: { Authorization: `Basic ${credentials}`, "User-Agent": "AcmeCRM/1.0", "Content-Type": "application/json" },
  body: JSON.stringify({ events: [{ type: "$signed_up", email: "person@example.com" }] }),
});
console.log(answer.status, JSON.stringify(await answer.json()));
