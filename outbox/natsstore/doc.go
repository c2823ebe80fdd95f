// Package natsstore keeps an outbox in the user's own NATS cluster, by JetStream, so that a fleet of
// machines shares one: any of them takes records, and each lane has one that sends.
//
// It needs nats-server 2.12 or newer. What was acknowledged is as safe as the cluster makes it. With
// three replicas it survives the loss of a server. With one it survives a kill of the server, but a
// power cut only if the server syncs always (jetstream { sync_interval: always }), which a client
// cannot see; as NATS is shipped, it syncs every two minutes. [Open] warns of one replica, and of
// streams in memory.
//
// Records hold addresses, and so do the streams, and so does the wire without TLS. Records leave the
// stream as soon as they are delivered or discarded; the server does not overwrite the disk.
//
// Times are those of the senders: their clocks have to agree, and with the servers', within a fraction of a
// lease. [WithLogger] is told when they do not. A machine whose clock is behind cannot take a lane from its
// owner, nor end its lease; one whose clock is ahead takes it too early, and what was in flight is then in
// doubt.
//
// # How it is kept
//
// The stream NAME-entries holds the entries, in order, until they are delivered. Its size is bounded,
// and it refuses what is too much: [outbox.ErrFull]. An entry is one message, and its ID the sequence of
// that; a large record has more messages before it. A key has a message of its own, on a subject that
// may have but one.
//
// The stream NAME-state holds the last of each of two kinds of documents: for each lane who has it,
// what is in flight, up to where all was begun, and totals; and for entries that are not simply new
// or delivered, what became of them. It is not bounded: what may go on is limited where it comes in.
//
// A change is one transaction (ADR-50), on the condition that the document of its lane is still the one
// that the change began from. So it happens whole or not at all, and a sender that lost the lane cannot
// change anything, however late it comes. What is delivered is removed after that: if a sender is
// killed in between, whoever reads the lane next removes it.
//
// Numbers tell entries apart, so a stream that goes back would have new entries taken for old ones: one
// that was made anew, restored from a backup, or lost its end with a server. The document of a lane
// says which stream it is about, and readers make sure of that when they begin, after each new
// connection, and once a minute; a message among those that were delivered, which nobody knows, is
// noticed when the next is read, or before it would be removed. All of that is [outbox.ErrDamaged].
//
// There is no consumer. A pinned one would say who may read, but not keep who has read from sending
// late; the lane's document does both. It also says what is in flight, which acknowledgements cannot.
//
// # Permissions
//
// A user that may do nothing else needs, for an outbox of the name bento: to publish to bento.>,
// $JS.API.STREAM.*.bento-entries, $JS.API.STREAM.*.bento-state,
// $JS.API.STREAM.MSG.*.bento-entries, $JS.API.STREAM.MSG.GET.bento-state,
// $JS.API.DIRECT.GET.bento-entries and $JS.API.DIRECT.GET.bento-state; and to subscribe to _INBOX.> and
// bento.wake.*. Once the streams are there, CREATE, UPDATE and DELETE of STREAM may be denied.
//
// # Limits
//
// Only what fits into [MaxPut] messages is put all or none. What is kept of entries that are done, with a key or a history,
// is in the memory of each machine that sends, and once more of one that looks: some 300 bytes for each, for as long as they are kept
// (see [outbox.WithRetention]).
package natsstore
