module kith/conformance/interop/network

go 1.26.0
