// SPDX-License-Identifier: Apache-2.0

package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
)

// ManifestFile is the name of the file in which a module says what it is.
const ManifestFile = "wippy.yaml"

// Omit returns a function that tells which entries the manifest of the module leaves
// out for those who use it from a directory: the patterns of exclude that have a colon,
// namespace:name, and the metadata of exclude_meta. It is nil when there are none; the
// other patterns of exclude are about files and matter for publishing only.
func (s Source) Omit() (func(registry.Entry) bool, error) {
	if s.Root == "" {
		return nil, nil
	}
	path := filepath.Join(s.Root, ManifestFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest of module %s: %w", s.Module, err)
	}
	var manifest struct {
		Exclude     []string       `yaml:"exclude"`
		ExcludeMeta map[string]any `yaml:"exclude_meta"`
	}
	if err := yaml.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var entries []any
	for _, pattern := range manifest.Exclude {
		if strings.Contains(pattern, ":") {
			entries = append(entries, pattern)
		}
	}
	if len(entries) == 0 && len(manifest.ExcludeMeta) == 0 {
		return nil, nil
	}
	config, err := stage.ParseDisable(map[string]any{"entries": entries, "meta": manifest.ExcludeMeta})
	var match func(registry.Entry) bool
	if err == nil {
		match, err = config.Matcher()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.NewReplacer("disable.entries", "exclude", "disable.meta", "exclude_meta").Replace(err.Error()))
	}
	return match, nil
}
