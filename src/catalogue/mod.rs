//! (Being written in another worktree, /work/wt-catalogue, by another member of the team: src/catalogue/ and deploy/catalogue/ are
//! taken off your part. Finish src/image/ and src/registry/ (supervisor, client, proxy), commit early, and report. Leave this file uncommitted.)
