// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/wippy/boot/project"
)

func (c *cli) init() *cobra.Command {
	var src, modules, file string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write wippy.lock, which says where source and modules are",
		Long: `Write wippy.lock in the project directory. An existing file keeps its modules;
its directories are replaced. No directories are created.`,
		Example: "  wippy init\n  wippy init --src-dir ./app",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path := file
			if !filepath.IsAbs(path) {
				path = filepath.Join(c.dir, path)
			}
			lock, err := project.Read(path)
			if errors.Is(err, project.ErrNoLock) {
				lock = project.Default()
			} else if err != nil {
				return err
			}
			lock.Directories = project.Directories{Modules: modules, Src: src}
			if err := lock.Write(path); err != nil {
				return err
			}
			if !c.silent {
				fmt.Fprintf(c.stderr, "lock file initialized successfully: %s (source %s, modules %s)\n", path, src, modules)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&src, "src-dir", "d", "./src", "`directory` of entry files")
	cmd.Flags().StringVar(&modules, "modules-dir", ".wippy", "`directory` of modules")
	cmd.Flags().StringVarP(&file, "lock-file", "l", project.LockFile, "lock `file` to write")
	return cmd
}
