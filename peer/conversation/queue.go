package conversation

// A queue is first in, first out, and can be read anywhere. The zero value is empty.
type queue[T any] struct {
	all  []T
	head int
}

func (q *queue[T]) len() int   { return len(q.all) - q.head }
func (q *queue[T]) at(i int) T { return q.all[q.head+i] }
func (q *queue[T]) rest() []T  { return q.all[q.head:] }

func (q *queue[T]) push(x T) {
	if len(q.all) == cap(q.all) && q.head > len(q.all)/2 { // half of it is free: move instead of grow
		n := copy(q.all, q.all[q.head:])
		clear(q.all[n:])
		q.all, q.head = q.all[:n], 0
	}
	q.all = append(q.all, x)
}

func (q *queue[T]) pop() (x T) {
	x, q.all[q.head] = q.all[q.head], x
	if q.head++; q.head == len(q.all) {
		q.all, q.head = q.all[:0], 0
		if cap(q.all) > keptCapacity {
			q.all = nil // what a burst needed is not kept for a quiet contact
		}
	}
	return x
}

const keptCapacity = 256
