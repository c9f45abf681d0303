"""The checklist of somebody who takes over an ECS service: nine steps, each judged from logs alone."""
