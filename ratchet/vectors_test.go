package ratchet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/ratchet"
	"kith/testvectors"
)

// fields are what steps of the ratchet ask with and are answered with, all of them (spec/operations.md, "rt").
type fields struct {
	Handle    string          `json:"handle"`
	RK        testvectors.Hex `json:"RK"`
	DH        testvectors.Hex `json:"dh"`
	CK        testvectors.Hex `json:"CK"`
	NHK       testvectors.Hex `json:"NHK"`
	MK        testvectors.Hex `json:"mk"`
	Key       testvectors.Hex `json:"key"`
	Nonce     testvectors.Hex `json:"nonce"`
	HKI       testvectors.Hex `json:"HK_I"`
	NHKR      testvectors.Hex `json:"NHK_R"`
	AD        testvectors.Hex `json:"AD"`
	Rk        testvectors.Hex `json:"rk"`
	Plaintext testvectors.Hex `json:"plaintext"`
	Message   testvectors.Hex `json:"message"`
	Newest    bool            `json:"newest"`
	Ratchet   testvectors.Hex `json:"ratchet"` // a draw
}

var classes = map[string]error{
	"malformed": ratchet.ErrMalformed, "authentication": ratchet.ErrAuthentication, "replay": ratchet.ErrReplay,
	"state": ratchet.ErrState, "limit": ratchet.ErrLimit,
}

func TestVectors(t *testing.T) {
	vectors, err := testvectors.Group("ratchet")
	require.NoError(t, err)
	for _, v := range vectors {
		steps := v.Steps
		if v.Type != testvectors.Script {
			steps = []testvectors.Step{{Op: v.Type, In: v.In, Draws: v.Draws, Out: v.Out, Reject: v.Reason}}
		}
		t.Run(v.ID, func(t *testing.T) {
			w := players{}
			for i, s := range steps {
				w.step(t, i, s)
			}
		})
	}
}

// players are the states of a script, by their handles.
type players map[string]*player

type player struct {
	*ratchet.State
	draws bytes.Buffer
}

func (w players) step(t *testing.T, i int, s testvectors.Step) {
	var in, draws, want, got fields
	for raw, to := range map[*json.RawMessage]*fields{&s.In: &in, &s.Draws: &draws, &s.Out: &want} {
		if *raw != nil {
			require.NoError(t, json.Unmarshal(*raw, to), "step %d", i)
		}
	}
	p, before := w[in.Handle], [32]byte{}
	if p == nil {
		p = new(player)
		w[in.Handle] = p
	} else if p.State != nil {
		before = p.Snapshot()
	}
	p.draws.Reset()
	p.draws.Write(slices.Concat(draws.Ratchet, draws.Nonce))

	var err error
	secrets := func() *ratchet.Secrets {
		return &ratchet.Secrets{RK: [32]byte(in.RK), HKI: [32]byte(in.HKI), NHKR: [32]byte(in.NHKR), AD: [32]byte(in.AD)}
	}
	switch s.Op {
	case "rt.kdf-root":
		rk, ck, nhk := ratchet.KDFRoot((*[32]byte)(in.RK), (*[32]byte)(in.DH))
		got.RK, got.CK, got.NHK = rk[:], ck[:], nhk[:]
	case "rt.kdf-chain":
		mk, ck := ratchet.KDFChain((*[32]byte)(in.CK))
		got.MK, got.CK = mk[:], ck[:]
	case "rt.kdf-message":
		key, nonce := ratchet.KDFMessage((*[32]byte)(in.MK))
		got.Key, got.Nonce = key[:], nonce[:]
	case "rt.alice":
		p.State, err = ratchet.NewInitiator(secrets(), [32]byte(in.Rk), &p.draws)
	case "rt.bob":
		p.State = ratchet.NewResponder(secrets(), (*[32]byte)(in.Rk), &p.draws)
	case "rt.encrypt":
		got.Message, err = p.Encrypt(nil, in.Plaintext)
	case "rt.decrypt":
		got.Plaintext, got.Newest, err = p.Decrypt([]byte{}, in.Message)
	case "rv.x25519":
		return // of package handshake; it makes the public key of the first step
	default:
		require.Fail(t, "no such operation", s.Op)
	}
	if s.Reject != "" {
		require.Contains(t, classes, s.Reject)
		require.True(t, errors.Is(err, classes[s.Reject]), "step %d: %v, not %s", i, err, s.Reject)
		if before != [32]byte{} {
			require.Equal(t, before, p.Snapshot(), "step %d", i)
		}
		return
	}
	require.NoError(t, err, "step %d", i)
	require.Equal(t, want, got, "step %d", i)
	require.Zero(t, p.draws.Len(), "step %d: a draw was not used", i)
}
