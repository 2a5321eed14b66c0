module kith/bench

go 1.26.4

require (
	github.com/anacrolix/torrent v1.62.0
	github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
	github.com/cloudflare/circl v1.6.5
	github.com/flynn/noise v1.1.0
	github.com/status-im/doubleratchet v3.0.0+incompatible
	github.com/stretchr/testify v1.12.1
	github.com/zeebo/bencode v1.0.0
	go.etcd.io/bbolt v1.5.0
	go.mau.fi/libsignal v0.2.1
	golang.org/x/crypto v0.58.0
	golang.org/x/net v0.62.0
	kith v0.0.0
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/anacrolix/missinggo v1.3.0 // indirect
	github.com/anacrolix/missinggo/v2 v2.11.0 // indirect
	github.com/huandu/xstrings v1.3.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace kith => ..
