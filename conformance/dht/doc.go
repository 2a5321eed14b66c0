// Package dht holds the cases for a node of BitTorrent's Mainline DHT: what spec/dht.md and spec/wire.md ask of any node,
// and of a Kith node. `kith conform dht ADDR` plays them. Start with Suite, which lists them, and Script, which they drive.
//
// # A case
//
// A case is a function of a Script, registered from an init function of a file cases_*.go:
//
//	func init() {
//		Case("dht-announce-token-ip", Reject, func(s *Script) {
//			ih := s.ID()
//			stolen := s.NodeAt(1).GetPeers(ih).WantReply().Token()
//			s.Judge(
//				func(n *Node) { n.Announce(ih, n.GetPeers(ih).WantReply().Token(), 1001).WantReply() },
//				func(n *Node) { n.Announce(ih, stolen, 1002).WantNoReply() },
//			)
//		})
//	}
//
// Its id is the id of the requirement that it judges, or that and a suffix ("dht-t-echo-one-byte"). The requirement gives all
// else: its verb the severity (MUST fail, SHOULD warn, MAY info), its BEP or its mark (Kith) the profile that a target has to
// claim. A requirement that no case judged before needs a block in explain.txt: the sentence, the harm, the remedy. Of one
// requirement at most five cases count towards any number. Case returns something that can be marked: .Slow(), .Profile("bep32").
//
// # The four kinds
//
//   - Accept: the target has to do something. The body runs, then a ping must be answered.
//   - Reject, Silence, Survive: the body prepares and then calls s.Judge(control, stimulus) once. The harness runs
//     control, liveness, stimulus, liveness, control. The control is the right twin of the stimulus and must work; if it
//     does not before the stimulus the case is inconclusive, after it the target has failed. In a Reject the stimulus must
//     end in WantError, WantNoReply or WantErrorOrSilence, in a Silence in WantSilence or one of the latter two; in a
//     Survive anything may be answered (Outcome), and the stimulus goes on to look whether the forbidden effect took place.
//
// What fails in s.Given(func) makes the case inconclusive: use it for what the case needs and does not judge. In a case with
// a Judge everything before the stimulus counts as given. Judge one thing in a case; a target that lacks one thing should
// fail one case.
//
// # What a Script offers
//
// s.Node() is a node of the harness: a socket and a random id. It answers the target's own queries, until n.OnQuery says
// otherwise; n.Asked() has them. s.NodeAt(1) has another source address, n.Sibling() the same address and another port,
// s.Node6() speaks IPv6; where the tester lacks one the case is blocked. n.Join(d) makes the node known to the target.
// s.Neighbours() are eighteen nodes that live around the target for the whole run. n.Acquainted() sees that the target knows some
// node, n.Introduce(n.Newcomer(1)) that it takes in a new one; both leave the case inconclusive where it does not.
//
// n.Ping(), FindNode, GetPeers, Announce, Get, Put, Sample, Query("any") begin a right query; Arg, NoArg, TwiceArg, Args, Top, NoTop,
// TwiceTop, ReadOnly, Want, Unsorted, Behind, Cut, Edit bend it; n.Raw(bytes) and n.Dict(...) send anything. Then one of
// WantReply, WantError(codes…), WantNoReply, WantErrorOrSilence(codes…), WantSilence, Outcome; or Send, and a Want on what it
// returns (WantOnce: one answer and no second). What nothing comes of is sent once more before anything is concluded, but by Poked,
// which is for one of many datagrams. A reply's methods ID, Token, Nodes, Nodes6, Values, Bytes, Exactly, Int, RawOf, WantNo,
// Check read it and fail the case where it is not so. s.Immutable(v) and s.Mutable(seq, v) make items; Next, WithCAS, WithSalt
// and Sig bend them. s.Check, s.Fail, s.Inconclusive, s.Blocked, s.Note say the rest. s.Wait(d) and s.Within(d, cond) let time pass.
//
// Random values come from s.ID, s.Near, s.Bytes, s.IntN, s.Key and depend on the seed, the round and the case's id alone;
// a newcomer's id depends on its port too.
//
// # What a case may not do
//
// No I/O, no clock, no randomness of its own, no ranging over a map: TestCasesKeepOut refuses the imports. Nobody plays a case again for
// a better verdict; what was answered by nothing is sent once more by the harness, within the case and its transcript. The target
// is shared: other cases run at the same time, so use info-hashes and keys of your own, and expect nodes of others in its
// table. Stay under some forty packets an address: deployed nodes silence who sends more. No sleeps as proof of silence:
// WantSilence fences with a ping, and an answer that comes later still turns the verdict.
//
// # A line in a table
//
// One packet and one expectation are a line in a file *.multi: id | requirement | packet | expected. malformed.multi
// explains the placeholders. The control is a right query of the same method.
//
// # Trying it
//
//	go test ./conformance/dht                        all cases against nothing, a fake, and the reference node
//	kith conform show ID                             the requirement, the source, the packets
//	kith conform dht 127.0.0.1:6881 --run ID -v      against a node
package dht
