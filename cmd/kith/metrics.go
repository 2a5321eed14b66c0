package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"kith/dht"
	"kith/internal/udp"
)

// metricsListener opens the socket for --metrics. What a node knows about others is nobody's business, so an address that others
// could reach is refused unless that was asked for.
func metricsListener(addr string, public bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--metrics %s: no address with a port, such as 127.0.0.1:9090", addr)
	}
	ip, err := netip.ParseAddr(host)
	if !public && host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--metrics %s: others could read it there; use 127.0.0.1, or add --metrics-public", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--metrics: cannot listen: %w", err)
	}
	return l, nil
}

// serveMetrics answers GET /metrics on l until it is closed.
func serveMetrics(l net.Listener, read func() (dht.Stats, udp.Stats, error)) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		node, sockets, err := read()
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Write(prometheus(&node, &sockets))
	})
	s := &http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, MaxHeaderBytes: 4096}
	if err := s.Serve(l); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// prometheus writes the figures in Prometheus' text format, in which all lines of one name stand together.
func prometheus(node *dht.Stats, sockets *udp.Stats) []byte {
	var names []string
	lines := map[string][]string{}
	add := func(name string, v uint64) {
		bare, _, _ := strings.Cut(name, "{")
		if lines[bare] == nil {
			names = append(names, bare)
		}
		lines[bare] = append(lines[bare], fmt.Sprintf("%s %d\n", name, v))
	}
	node.Each(func(name string, v uint64) { add("kith_dht_"+name, v) })
	for _, c := range []struct {
		name  string
		value uint64
	}{
		{"datagrams_in", sockets.In}, {"datagrams_out", sockets.Out}, {"bytes_in", sockets.BytesIn}, {"bytes_out", sockets.BytesOut},
		{"batches", sockets.Batches}, {"wakeups", sockets.Wakeups}, {"too_long", sockets.TooLong}, {"no_socket", sockets.NoSocket},
		{"read_errors", sockets.ReadErrors}, {"write_errors", sockets.WriteErrors}, {"unreachable", sockets.Unreachable},
		{"refused", sockets.Refused}, {"no_buffers", sockets.NoBuffers},
	} {
		add("kith_udp_"+c.name+"_total", c.value)
	}
	var b bytes.Buffer
	for _, name := range names {
		kind := "gauge"
		if strings.HasSuffix(name, "_total") {
			kind = "counter"
		}
		fmt.Fprintf(&b, "# TYPE %s %s\n%s", name, kind, strings.Join(lines[name], ""))
	}
	return b.Bytes()
}
