module kith/bench

go 1.26.0

require (
	github.com/anacrolix/torrent v1.62.0
	github.com/stretchr/testify v1.12.1
	github.com/zeebo/bencode v1.0.0
	kith v0.0.0
)

require (
	github.com/anacrolix/missinggo v1.3.0 // indirect
	github.com/anacrolix/missinggo/v2 v2.11.0 // indirect
	github.com/huandu/xstrings v1.3.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace kith => ..
