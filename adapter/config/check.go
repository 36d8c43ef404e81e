package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/program"
)

// Check looks whether what a session needs is named and there, so that nothing is started
// in vain, and reads the agent's EnvFile. The two Envoys are looked at by the startup, which
// reads them.
func (c *Config) Check() error {
	if c.Program == "" {
		return fault.BadAttribute("program", "is missing", `It must be the Envoy with symbols on this machine, for example "${workspaceFolder}/bazel-bin/envoy".`)
	}
	if c.Agent.EnvFile != "" {
		env, err := ReadEnvFile("agent.envFile", c.Agent.EnvFile)
		if err != nil {
			return err
		}
		maps.Copy(env, c.Agent.Env)
		c.Agent.Env = env
	}
	if err := folder("workTree", c.WorkTree); err != nil {
		return err
	}
	for _, pair := range c.SourceMap {
		if err := folder("sourceMap", pair[1]); err != nil {
			return err
		}
	}
	if !c.Local() {
		return nil // what the agent needs is there, not here
	}
	if err := folder("agent.cwd", c.Agent.Cwd); err != nil {
		return err
	}
	path, set := c.Agent.Env["PATH"]
	if !set {
		path = os.Getenv("PATH")
	}
	name := c.Agent.Command[0]
	switch found, err := program.Look(name, path, c.Agent.Cwd); {
	case errors.Is(err, fs.ErrPermission) && found != "":
		return fault.NotPermitted("run the agent", found, cmp.Or(program.Refusal(found), err.Error()))
	case errors.Is(err, fs.ErrPermission):
		return fault.NotPermitted("run the agent", name, err.Error())
	case err != nil:
		return fault.NoAgent(err)
	}
	return nil
}

// folder is the error for a path that leads to no folder; an empty one is not set.
func folder(attribute, path string) error {
	if path == "" {
		return nil
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fault.NotPermitted(fmt.Sprintf("look at the folder that %s names", fault.Name(attribute)), path, cmp.Or(program.Refusal(path), err.Error()))
	case err != nil:
		return fault.BadAttribute(attribute, fmt.Sprintf("names the folder %s, which is not there", path), "Create it, or name another one.")
	case !st.IsDir():
		return fault.BadAttribute(attribute, fmt.Sprintf("names %s, which is no folder", path), "Name a folder.")
	}
	return nil
}
