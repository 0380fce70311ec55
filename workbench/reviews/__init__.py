"""People looking at a nominee: approvals, objections, waivers, the checklist and the model card."""
