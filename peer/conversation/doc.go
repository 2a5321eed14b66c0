// Package conversation is what two contacts say to each other once a handshake is done: frames in ratchet messages, the two streams that outlive a
// conversation, acknowledgement, loss, pace, roaming and end. It implements the chapter spec/peer.md from "Datagram" to "Keeping, losing, ending".
//
// Sending and Receiving are the durable halves: each message once and in order, over all conversations with a contact. A Conversation is one session around them. Nothing here
// does I/O or reads a clock.
package conversation
