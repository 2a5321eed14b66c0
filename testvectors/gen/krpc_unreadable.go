package gen

// krpcUnreadable are datagrams whose fault is of such a kind that nobody can say where the next key begins: what stands behind it
// is not read, though it looks like t and y.
func krpcUnreadable() (all []krpcCase) {
	const (
		pingTwin  = "wire-krpc-query/ping"
		replyTwin = "wire-krpc-dictionary/ping"
		errorTwin = "wire-krpc-error/generic"
	)
	add := func(id, comment, twin, input string) {
		c := krpcCase{id: id, comment: comment, twin: twin, input: input, reason: malformed}
		if r := read(input); len(r.readable) != 0 {
			panic(id + ": there is something to read")
		}
		all = append(all, c)
	}
	add("wire-int-refused/behind-list", "no digits in an integer, in a list: nothing behind is read", pingTwin, "d1:ali-e1:t2:aa1:y1:qe")
	add("wire-int-refused/behind-arguments", "no digits in an integer, among the arguments: nothing behind is read", pingTwin, "d1:ad1:xi-e1:t2:aa1:y1:qe")
	add("wire-int-refused/behind-t", "no digits in t itself: nothing behind is read", errorTwin, "d1:ti-e1:y1:ee")
	add("wire-int-refused/behind-colon", "a colon in an integer: nothing behind is read", errorTwin, "d1:ti1:e1:y1:ee")
	add("wire-key-refused/behind-arguments", "a dictionary for a key of the arguments: nothing behind is read", pingTwin, "d1:addee1:t2:aa1:y1:qe")
	add("wire-key-refused/behind-message", "a list for a key of the message: nothing behind is read", pingTwin, "dle1:t2:aa1:y1:qe")
	add("wire-truncated/inside-list", "it ends inside a dictionary inside a list", pingTwin, "d2:rolde")
	add("wire-truncated/inside-values", "it ends where the return values should", replyTwin, "d1:rd2:id20:"+idB)
	return all
}
