"""A dependency built in another configuration, in k8-dbg-ST-<hash>."""

def _with_copt_impl(settings, attr):
    return {"//command_line_option:copt": settings["//command_line_option:copt"] + [attr.copt]}

_with_copt = transition(
    implementation = _with_copt_impl,
    inputs = ["//command_line_option:copt"],
    outputs = ["//command_line_option:copt"],
)

def _cc_with_copt_impl(ctx):
    return [ctx.attr.dep[0][CcInfo]]

cc_with_copt = rule(
    implementation = _cc_with_copt_impl,
    attrs = {
        "copt": attr.string(mandatory = True),
        "dep": attr.label(cfg = _with_copt, mandatory = True, providers = [CcInfo]),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
