package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// A configFile is bentoctl's own: profiles by name, and the one that is in use.
type configFile struct {
	Current  string             `json:"current,omitempty"`
	Profiles map[string]profile `json:"profiles"`

	path string
}

// A profile is how to speak to one site. The secret key stands in the system's keyring, comes from a
// command, or stands in the file.
type profile struct {
	PublishableKey string   `json:"publishable_key,omitempty"`
	SiteUUID       string   `json:"site_uuid,omitempty"`
	UserAgent      string   `json:"user_agent,omitempty"`
	BaseURL        string   `json:"base_url,omitempty"`
	Keyring        bool     `json:"keyring,omitempty"`
	SecretCommand  []string `json:"secret_command,omitempty"`
	SecretKey      string   `json:"secret_key,omitempty"`
}

// configPath is where the file is: under XDG where that is set, else where the system has such
// files.
func configPath() (string, error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return "", fmt.Errorf("no place for a configuration file: %w", err)
		}
	}
	return filepath.Join(dir, "bentoctl", "config.json"), nil
}

// maxConfig bounds the file.
const maxConfig = 1 << 20

// loadConfig reads the file; none is an empty one. One that holds a secret and is open to others is
// refused.
func loadConfig() (*configFile, error) {
	path, err := configPath()
	if err != nil {
		return nil, err
	}
	c := &configFile{Profiles: map[string]profile{}, path: path}
	text, mode, err := readConfig(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s is not the JSON of a configuration: mend it, or remove it and use bentoctl login", path)
	}
	for _, p := range c.Profiles {
		if p.SecretKey != "" {
			if err := private(path, mode); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func readConfig(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if info.Size() > maxConfig {
		return nil, 0, fmt.Errorf("%s is larger than a megabyte: that is no configuration", path)
	}
	text, err := os.ReadFile(path)
	return text, info.Mode(), err
}

// private refuses a file that others may read.
func private(path string, mode fs.FileMode) error {
	if runtime.GOOS != "windows" && mode.Perm()&0o077 != 0 {
		return fmt.Errorf("%s holds a secret key and others may read it: chmod 600 %s, and renew the key if they may have", path, path)
	}
	return nil
}

// save writes the file in the place of the old one, at once and for nobody else to read at any
// moment.
func (c *configFile) save() error {
	dir := filepath.Dir(c.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	encoded, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(dir, "config-*.json") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(append(encoded, '\n'))
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return os.Rename(temporary.Name(), c.path)
}
