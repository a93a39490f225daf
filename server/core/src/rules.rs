//! Permission rules: parsing, matching, and which allow rules are over-broad.
