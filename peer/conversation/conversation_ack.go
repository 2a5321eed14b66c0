package conversation

// What a conversation asks of the streams to decide when an acknowledgement is due.

// told returns what is durably the next expected id, and false when no hello has come.
func (r *Receiving) told() (uint64, bool) {
	if !r.current {
		return 0, false
	}
	return r.last().told, true
}

// gap reports whether a part is missing before another of a message that is held.
func (r *Receiving) gap(id uint64) bool {
	m := r.held[id]
	return m != nil && m.have&(m.have+1) != 0
}

// partial reports whether something of the next expected message is held.
func (r *Receiving) partial() bool { return r.held[r.last().next] != nil }
