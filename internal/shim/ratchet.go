package shim

import "kith/ratchet"

// ratchetOperations are those of spec/operations.md, "rt: the ratchet".
var ratchetOperations = map[string]operation{
	"rt.kdf-root":    {ask: rtKDFRoot},
	"rt.kdf-chain":   {ask: rtKDFChain},
	"rt.kdf-message": {ask: rtKDFMessage},
	"rt.alice":       {draws: []string{"ratchet"}, ask: rtAlice},
	"rt.bob":         {ask: rtBob},
	"rt.encrypt":     {draws: []string{"nonce"}, ask: rtEncrypt},
	"rt.decrypt":     {draws: []string{"ratchet"}, ask: rtDecrypt},
}

func rtKDFRoot(c *call) (any, error) {
	q := in[struct {
		RK octets `json:"RK"`
		DH octets `json:"dh"`
	}](c)
	rk, ck, nhk := ratchet.KDFRoot((*[32]byte)(sized("RK", q.RK, 32)), (*[32]byte)(sized("dh", q.DH, 32)))
	return struct {
		RK  octets `json:"RK"`
		CK  octets `json:"CK"`
		NHK octets `json:"NHK"`
	}{rk[:], ck[:], nhk[:]}, nil
}

func rtKDFChain(c *call) (any, error) {
	q := in[struct {
		CK octets `json:"CK"`
	}](c)
	mk, ck := ratchet.KDFChain((*[32]byte)(sized("CK", q.CK, 32)))
	return struct {
		MK octets `json:"mk"`
		CK octets `json:"CK"`
	}{mk[:], ck[:]}, nil
}

func rtKDFMessage(c *call) (any, error) {
	q := in[struct {
		MK octets `json:"mk"`
	}](c)
	key, nonce := ratchet.KDFMessage((*[32]byte)(sized("mk", q.MK, 32)))
	return struct {
		Key   octets `json:"key"`
		Nonce octets `json:"nonce"`
	}{key[:], nonce[:]}, nil
}

// start is how both roles begin; rk is the initiator's public or the responder's private key.
type start struct {
	Handle string `json:"handle"`
	RK     octets `json:"RK"`
	HKI    octets `json:"HK_I"`
	NHKR   octets `json:"NHK_R"`
	AD     octets `json:"AD"`
	Rk     octets `json:"rk"`
}

func (q *start) secrets() (s *ratchet.Secrets, rk [32]byte) {
	return &ratchet.Secrets{
		RK: [32]byte(sized("RK", q.RK, 32)), HKI: [32]byte(sized("HK_I", q.HKI, 32)),
		NHKR: [32]byte(sized("NHK_R", q.NHKR, 32)), AD: [32]byte(sized("AD", q.AD, 32)),
	}, [32]byte(sized("rk", q.Rk, 32))
}

func rtAlice(c *call) (any, error) {
	q := in[start](c)
	secrets, rk := q.secrets()
	s, err := ratchet.NewInitiator(secrets, rk, c.rand())
	if err != nil {
		return nil, err
	}
	c.open(q.Handle, s)
	return nil, nil
}

func rtBob(c *call) (any, error) {
	q := in[start](c)
	secrets, rk := q.secrets()
	c.open(q.Handle, ratchet.NewResponder(secrets, &rk, c.rand()))
	return nil, nil
}

func rtEncrypt(c *call) (any, error) {
	q := in[struct {
		Handle    string `json:"handle"`
		Plaintext octets `json:"plaintext"`
	}](c)
	m, err := state[*ratchet.State](c, q.Handle).Encrypt(nil, q.Plaintext)
	return struct {
		Message octets `json:"message"`
	}{m}, err
}

func rtDecrypt(c *call) (any, error) {
	q := in[struct {
		Handle  string `json:"handle"`
		Message octets `json:"message"`
	}](c)
	plaintext, newest, err := state[*ratchet.State](c, q.Handle).Decrypt(nil, q.Message)
	return struct {
		Plaintext octets `json:"plaintext"`
		Newest    bool   `json:"newest"`
	}{plaintext, newest}, err
}
