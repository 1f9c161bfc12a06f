package config

// LoadText is Load for the text of one file.
func LoadText(text string, profiles ...string) (*Config, error) {
	var l layers
	if err := l.read("file.yaml", []byte(text)); err != nil {
		return nil, err
	}
	for _, name := range profiles {
		if err := l.use(name); err != nil {
			return nil, err
		}
	}
	return l.config()
}
