package rendezvous

// UnderWay returns how many look-ups and puts are under way, and how many operations of the node that are.
func (r *Rendezvous) UnderWay() (looks, puts, operations int) { return r.looks, r.puts, len(r.tasks) }

// Waiting returns how many puts and look-ups wait for room.
func (r *Rendezvous) Waiting() (puts, looks int) { return len(r.posting), len(r.looking) }
