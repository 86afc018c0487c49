module github.com/acme/fleet

go 1.18

require github.com/kit/backoff v1.0.0
