package gen

import "crypto/sha256"

// secrets are the secrets of one vector in the order in which they were first asked for. Every secret, every random draw too, is the
// SHA-256 of a label that the file prints, so that whoever reads it can make it himself.
type secrets struct{ all []secret }

type secret struct{ name, label, bytes string }

// bytes returns the first n ≤ 32 bytes of SHA-256("kith/1 vector " ‖ label), and writes the secret into the vector under name.
// Asking again for the same name is the same secret.
func (s *secrets) bytes(name, label string, n int) string {
	sum := sha256.Sum256([]byte("kith/1 vector " + label))
	made := secret{name, "kith/1 vector " + label, string(sum[:])}
	for _, old := range s.all {
		if old.name == name {
			if old != made {
				panic("two secrets are called " + name)
			}
			return made.bytes[:n]
		}
	}
	s.all = append(s.all, made)
	return made.bytes[:n]
}

func (s *secrets) json() object {
	out := object{}
	for _, secret := range s.all {
		out = append(out, field{secret.name, o("label", secret.label, "bytes", toHex(secret.bytes))})
	}
	return out
}
