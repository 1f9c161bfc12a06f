module github.com/wippyrun/kit/tools

go 1.26.0

tool honnef.co/go/tools/cmd/staticcheck

require (
	github.com/rogpeppe/go-internal v1.16.0
	golang.org/x/exp v0.0.0-20231226003508-02704c960a9b
	golang.org/x/mod v0.42.0
	golang.org/x/sync v0.25.0
	golang.org/x/tools v0.52.0
	gopkg.in/yaml.v3 v3.0.1
)

require (
	github.com/BurntSushi/toml v1.4.1-0.20240526193622-a339e1f7089c // indirect
	golang.org/x/exp/typeparams v0.0.0-20231108232855-2478ac86f678 // indirect
	golang.org/x/tools/go/packages/packagestest v0.1.1-deprecated // indirect
	honnef.co/go/tools v0.8.2 // indirect
)
