"""Ways to execute a notebook; each is `submit` a job, get a future, `cancel` what runs."""
