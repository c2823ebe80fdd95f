package api_test

import (
	"go/types"
	"slices"
	"strings"
)

// A describer tells the facts about a package that a program which imports it can rely on.
type describer struct {
	pkg     *types.Package
	module  string
	written func(types.Object) bool // by hand
	lines   []string
}

func (d *describer) describe() []string {
	scope := d.pkg.Scope()
	for _, name := range scope.Names() {
		o := scope.Lookup(name)
		if !o.Exported() || !d.written(o) {
			continue
		}
		switch o := o.(type) {
		case *types.Const:
			d.add("const " + name + " " + d.text(o.Type()) + " = " + o.Val().ExactString())
		case *types.TypeName:
			d.named(o)
		default:
			d.add(types.ObjectString(o, d.qualify))
		}
	}
	slices.Sort(d.lines)
	return d.lines
}

// named describes a type: what it is, its exported fields, and its methods, those among them that it
// has from another type of this module.
func (d *describer) named(o *types.TypeName) {
	head := "type " + o.Name()
	if o.IsAlias() {
		d.add(types.ObjectString(o, d.qualify))
		return
	}
	if n, ok := o.Type().(*types.Named); ok && n.TypeParams().Len() > 0 {
		head = "type " + d.text(n)
	}
	switch u := o.Type().Underlying().(type) {
	case *types.Struct:
		d.add(head + " struct" + comparable(o.Type()))
		for f := range u.Fields() {
			if f.Exported() {
				d.add(head + " struct, " + field(f, d.text(f.Type())))
			}
		}
	case *types.Interface:
		d.iface(head, u)
		return
	default:
		d.add(head + " " + d.text(u))
	}
	values := types.NewMethodSet(o.Type())
	for m := range types.NewMethodSet(types.NewPointer(o.Type())).Methods() {
		if !m.Obj().Exported() || !strings.HasPrefix(m.Obj().Pkg().Path()+"/", d.module+"/") {
			continue
		}
		receiver := "*" + o.Name()
		if values.Lookup(d.pkg, m.Obj().Name()) != nil {
			receiver = o.Name()
		}
		d.add("method (" + receiver + ") " + m.Obj().Name() + strings.TrimPrefix(d.text(m.Type()), "func"))
	}
}

// iface describes an interface. One that others can implement is a single fact, for a method more
// breaks them; one with an unexported method may grow.
func (d *describer) iface(head string, i *types.Interface) {
	if !i.IsMethodSet() { // a constraint
		d.add(head + " " + d.text(i))
		return
	}
	var methods []string
	sealed := false
	for m := range i.Methods() {
		if !m.Exported() {
			sealed = true
			continue
		}
		methods = append(methods, m.Name()+strings.TrimPrefix(d.text(m.Type()), "func"))
	}
	if !sealed {
		d.add(head + " interface { " + strings.Join(methods, "; ") + " }")
		return
	}
	d.add(head + " interface that only this package implements")
	for _, m := range methods {
		d.add(head + " interface, " + m)
	}
}

func field(f *types.Var, text string) string {
	if f.Embedded() {
		return "embedded " + text
	}
	return f.Name() + " " + text
}

// comparable says so of a struct that users may compare with ==.
func comparable(t types.Type) string {
	if types.Comparable(t) {
		return ", comparable"
	}
	return ""
}

func (d *describer) add(line string) { d.lines = append(d.lines, line) }

func (d *describer) text(t types.Type) string { return types.TypeString(t, d.qualify) }

// qualify leaves the package's own names bare, and the module's path out.
func (d *describer) qualify(p *types.Package) string {
	if p == d.pkg {
		return ""
	}
	return strings.TrimPrefix(p.Path(), d.module+"/")
}
