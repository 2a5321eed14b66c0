package gen

import "math/big"

// The curves of RFC 7748 and RFC 8032 in big integers: slow, and able to show what libraries hide, such as points of small order,
// encodings that are not canonical, and results that are zero.

var (
	prime   = sub(power(2, 255), 19)
	curveD  = modP(mul(big.NewInt(-121665), inverse(big.NewInt(121666))))
	minus1  = sub(prime, 1)
	rootOf1 = new(big.Int).Exp(big.NewInt(2), new(big.Int).Rsh(minus1, 2), prime) // of −1
)

func power(base, exponent int64) *big.Int {
	return new(big.Int).Exp(big.NewInt(base), big.NewInt(exponent), nil)
}
func sub(a *big.Int, b int64) *big.Int { return new(big.Int).Sub(a, big.NewInt(b)) }
func mul(a, b *big.Int) *big.Int       { return new(big.Int).Mul(a, b) }
func modP(a *big.Int) *big.Int         { return new(big.Int).Mod(a, prime) }
func times(a, b *big.Int) *big.Int     { return modP(mul(a, b)) }
func plus(a, b *big.Int) *big.Int      { return modP(new(big.Int).Add(a, b)) }
func minus(a, b *big.Int) *big.Int     { return modP(new(big.Int).Sub(a, b)) }

// inverse returns 1/a, and 0 of 0, as RFC 7748 has it.
func inverse(a *big.Int) *big.Int { return new(big.Int).Exp(a, sub(prime, 2), prime) }

// root returns a square root, if there is one.
func root(a *big.Int) (*big.Int, bool) {
	// p is 5 mod 8: a^((p+3)/8) is the root of a or of −a.
	r := new(big.Int).Exp(a, new(big.Int).Rsh(plusInt(prime, 3), 3), prime)
	if times(r, r).Cmp(modP(a)) != 0 {
		r = times(r, rootOf1)
	}
	return r, times(r, r).Cmp(modP(a)) == 0
}

func plusInt(a *big.Int, b int64) *big.Int { return new(big.Int).Add(a, big.NewInt(b)) }

// A point of edwards25519, −x² + y² = 1 + d·x²·y², in projective coordinates.
type point struct{ x, y, z *big.Int }

var (
	neutralPoint = point{big.NewInt(0), big.NewInt(1), big.NewInt(1)}
	basePoint    = func() point {
		b, ok := decodePoint(toLittle(times(big.NewInt(4), inverse(big.NewInt(5)))))
		if !ok {
			panic("the base point is none")
		}
		return b
	}()
)

// add is complete: it holds for any two points, the same and the neutral one too.
func (p point) add(q point) point {
	a := times(p.z, q.z)
	b := times(a, a)
	c, d := times(p.x, q.x), times(p.y, q.y)
	e := times(curveD, times(c, d))
	f, g := minus(b, e), plus(b, e)
	cross := minus(minus(times(plus(p.x, p.y), plus(q.x, q.y)), c), d)
	return point{times(times(a, f), cross), times(times(a, g), plus(d, c)), times(f, g)}
}

func (p point) negate() point { return point{minus(big.NewInt(0), p.x), p.y, p.z} }

// times returns n·p for n ≥ 0, which is not reduced: p may have any order.
func (p point) times(n *big.Int) point {
	out := neutralPoint
	for i := n.BitLen() - 1; i >= 0; i-- {
		out = out.add(out)
		if n.Bit(i) == 1 {
			out = out.add(p)
		}
	}
	return out
}

// sum returns n·p + m·q in one pass.
func (p point) sum(n *big.Int, q point, m *big.Int) point {
	both, out := p.add(q), neutralPoint
	for i := max(n.BitLen(), m.BitLen()) - 1; i >= 0; i-- {
		out = out.add(out)
		switch n.Bit(i) + 2*m.Bit(i) {
		case 1:
			out = out.add(p)
		case 2:
			out = out.add(q)
		case 3:
			out = out.add(both)
		}
	}
	return out
}

func (p point) affine() (x, y *big.Int) {
	z := inverse(p.z)
	return times(p.x, z), times(p.y, z)
}

// encode returns the canonical encoding: y, and the lowest bit of x in bit 255.
func (p point) encode() string {
	x, y := p.affine()
	return toLittle(withSign(y, x.Bit(0)))
}

func (p point) isNeutral() bool { return p.encode() == neutralPoint.encode() }

// withSign puts the sign of x into bit 255 of y.
func withSign(y *big.Int, sign uint) *big.Int { return new(big.Int).SetBit(y, 255, sign) }

// decodePoint returns the point of an encoding whose y is read modulo p; ok is false where there is none.
func decodePoint(b string) (p point, ok bool) {
	n := fromLittle([]byte(b))
	sign := n.Bit(255)
	y := modP(n.SetBit(n, 255, 0))
	yy := times(y, y)
	x, ok := root(times(minus(yy, big.NewInt(1)), inverse(plus(times(curveD, yy), big.NewInt(1)))))
	if !ok || x.Sign() == 0 && sign == 1 {
		return point{}, false
	}
	if x.Bit(0) != sign {
		x = minus(big.NewInt(0), x)
	}
	return point{x, y, big.NewInt(1)}, true
}

// smallPoints are the eight points of small order: the multiples of one of order 8, the neutral one first.
var smallPoints = func() (all []point) {
	for y := int64(2); ; y++ {
		p, ok := decodePoint(toLittle(big.NewInt(y)))
		if !ok {
			continue
		}
		p = p.times(order)
		if p.times(big.NewInt(4)).isNeutral() {
			continue
		}
		for i := range int64(8) {
			all = append(all, p.times(big.NewInt(i)))
		}
		return all
	}
}()

// montgomery returns u of the same point on curve25519.
func (p point) montgomery() string {
	_, y := p.affine()
	return toLittle(times(plus(big.NewInt(1), y), inverse(minus(big.NewInt(1), y))))
}

// clamp is RFC 7748's, section 5.
func clamp(private string) *big.Int {
	k := []byte(private)
	k[0] &= 248
	k[31] = k[31]&127 | 64
	return fromLittle(k)
}

// ladder is X25519 of RFC 7748 as it stands in section 5: bit 255 of u is cleared and u reduced, and the result may be zero.
func ladder(private, u string) string {
	k := clamp(private)
	x1 := fromLittle([]byte(u))
	x1 = modP(x1.SetBit(x1, 255, 0))
	x2, z2, x3, z3 := big.NewInt(1), big.NewInt(0), x1, big.NewInt(1)
	for t := 254; t >= 0; t-- {
		if k.Bit(t) == 1 {
			x2, z2, x3, z3 = x3, z3, x2, z2
		}
		a, b := plus(x2, z2), minus(x2, z2)
		c, d := plus(x3, z3), minus(x3, z3)
		aa, bb, da, cb := times(a, a), times(b, b), times(d, a), times(c, b)
		e := minus(aa, bb)
		x3, z3 = plus(da, cb), minus(da, cb)
		x3, z3 = times(x3, x3), times(x1, times(z3, z3))
		x2, z2 = times(aa, bb), times(e, plus(aa, times(big.NewInt(121665), e)))
		if k.Bit(t) == 1 {
			x2, z2, x3, z3 = x3, z3, x2, z2
		}
	}
	return toLittle(times(x2, inverse(z2)))
}
