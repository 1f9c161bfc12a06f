// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// component is one entry of a bill of materials, as CycloneDX 1.5 has it.
type component struct {
	Type    string     `json:"type"`
	Name    string     `json:"name"`
	Version string     `json:"version"`
	PURL    string     `json:"purl,omitempty"`
	Hashes  []hashed   `json:"hashes,omitempty"`
	Props   []property `json:"properties,omitempty"`
}

type hashed struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// billOfMaterials lists what is in a binary: the modules that the Go toolchain recorded in it,
// with the hashes it verified them by.
func billOfMaterials(file, version string) ([]byte, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return nil, err
	}
	bill := struct {
		Format   string `json:"bomFormat"`
		Spec     string `json:"specVersion"`
		Version  int    `json:"version"`
		Metadata struct {
			Component component `json:"component"`
		} `json:"metadata"`
		Components []component `json:"components"`
	}{Format: "CycloneDX", Spec: "1.5", Version: 1}
	bill.Metadata.Component = component{Type: "application", Name: "wippy", Version: version, PURL: purl(info.Main.Path, version)}
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" || strings.HasPrefix(s.Key, "vcs") {
			bill.Metadata.Component.Props = append(bill.Metadata.Component.Props, property{"build:" + s.Key, s.Value})
		}
	}
	bill.Components = append(bill.Components, component{Type: "platform", Name: "go", Version: strings.TrimPrefix(info.GoVersion, "go")})
	for _, m := range info.Deps {
		c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: purl(m.Path, m.Version)}
		if sum, ok := strings.CutPrefix(m.Sum, "h1:"); ok {
			// The hash of the module's files and their names; SHA-256, in base64.
			if raw, err := base64.StdEncoding.DecodeString(sum); err == nil {
				c.Hashes = []hashed{{"SHA-256", hex.EncodeToString(raw)}}
			}
		}
		bill.Components = append(bill.Components, c)
	}
	return json.MarshalIndent(bill, "", "  ")
}

func purl(path, version string) string { return "pkg:golang/" + path + "@" + version }
