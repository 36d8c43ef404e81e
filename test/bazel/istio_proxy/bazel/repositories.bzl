"""Repositories that come without a network."""

def _copied_repository_impl(ctx):
    source = "%s/%s" % (ctx.path(Label("@envoydbg_sample//:WORKSPACE")).dirname, ctx.attr.path)
    result = ctx.execute(["cp", "-r", "%s/." % source, "."])
    if result.return_code != 0:
        fail(result.stderr)

# Leaves in external/ what http_archive leaves there: files of its own. The
# folder is relative to the workspace.
copied_repository = repository_rule(
    implementation = _copied_repository_impl,
    attrs = {"path": attr.string(mandatory = True)},
    local = True,
)
