package kube

import (
	"cmp"
	"slices"
)

// Context is one of a kubeconfig.
type Context struct{ Name, Cluster, Namespace string }

// Contexts are those of the kubeconfig that the flags lead to, by name, and the name of the
// current one, "" for none.
func Contexts(f *Flags) (all []Context, current string, err error) {
	raw, err := f.flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, "", err
	}
	for name, c := range raw.Contexts {
		all = append(all, Context{name, c.Cluster, c.Namespace})
	}
	slices.SortFunc(all, func(a, b Context) int { return cmp.Compare(a.Name, b.Name) })
	return all, raw.CurrentContext, nil
}
