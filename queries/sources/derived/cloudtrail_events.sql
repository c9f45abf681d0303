-- title: What is worked out of an event when a query asks for it, and never stored
-- about: >-
--   `hand` is the kind of hand that made the call. Callers choose their user agent, and often the name of their session,
--   so a thief can pass for automation: what nobody can choose comes first, and a hand makes a finding one step milder
--   at most and hides none.
SELECT
    *,
    CASE
        WHEN invoked_by IN ('cloudformation.amazonaws.com', 'servicecatalog.amazonaws.com') THEN 'automation'
        -- the console, in older records; and whoever runs Docker against a registry
        WHEN invoked_by NOT IN ('signin.amazonaws.com', 'AWS Internal')
            OR event_type = 'AwsServiceEvent'
            OR identity_type = 'AWSService'
            OR principal_arn LIKE '%:role/aws-service-role/%'
        THEN 'service'
        WHEN identity_type IN ('Root', 'SAMLUser', 'IdentityCenterUser')
            OR event_name = 'ConsoleLogin'
            OR principal_arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%' AND NOT regexp_like(
                user_agent, '(?i)terraform|opentofu|terragrunt|pulumi|aws-?cdk|cdk-assets|ansible'
            )
        THEN 'person'
        -- EC2 names a session after the instance, ECS after the task
        WHEN identity_type = 'AssumedRole'
            AND regexp_like(
                session_name, '^(i-[0-9a-f]{8,17}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$'
            )
            OR identity_type = 'WebIdentityUser' AND principal_arn LIKE '%oidc.eks.%'
        THEN 'workload'
        WHEN regexp_like(
                session_name,
                '(?i)^(AWSCodeBuild-|AWSCloudFormation$|codepipeline|git-?hub|gitlab|jenkins|circleci|bitbucket'
                    || '|azure-?(devops|pipelines)|buildkite|drone-|terraform|opentofu|atlantis|spacelift|pulumi|cdk-'
                    || '|ansible|argocd|crossplane)'
            )
            OR regexp_like(
                user_agent,
                '(?i)terraform|opentofu|terragrunt|pulumi|cloudformation|aws-?cdk|cdk-assets|ansible|crossplane'
                    || '|atlantis|spacelift|AWS_CodeBuild|codepipeline|serverless/|aws-sam-cli|argocd|saltstack'
                    || '|github-?actions|gitlab|jenkins|cloud-custodian|c7n/'
            )
            OR identity_type = 'WebIdentityUser'
            AND regexp_like(principal_arn, 'githubusercontent|gitlab|circleci|bitbucket|buildkite|app\.terraform\.io')
        THEN 'automation'
        WHEN session_name LIKE '%_@_%._%'
            OR invoked_by = 'signin.amazonaws.com'
            OR regexp_like(
                user_agent,
                '^\[?(Mozilla/|S3Console|AWS-Console)|exec-env/CloudShell|console\.([a-z0-9-]+\.)?amazonaws\.com'
                    || '|signin\.amazonaws\.com'
            )
        THEN 'person'
        WHEN regexp_like(user_agent, 'exec-env/(AWS_Lambda|AWS_ECS|EC2)') THEN 'workload'
        WHEN identity_type = 'IAMUser' AND (mfa OR regexp_like(user_agent, '^\[?aws-cli/')) THEN 'person'
        ELSE 'unknown'
    END AS hand
FROM recorded
