;;; run.el --- Runs the tests of the package in this Emacs  -*- lexical-binding: t; -*-

;;; Commentary:

;; emacs -Q --batch -l run.el COUNTERSIGN FOLDER EMACS TMUX [TESTS]
;; FOLDER takes what the tests leave; its path should be short, for sockets.
;; `cargo xtask test editors' installs Emacs and calls this.

;;; Code:

(let ((here (file-name-directory load-file-name)))
  (add-to-list 'load-path here)
  (add-to-list 'load-path (expand-file-name "../../../editors/emacs" here)))

(require 'support)

(setq support-countersign (file-truename (pop command-line-args-left))
      support-folder (file-truename (pop command-line-args-left))
      support-emacs (pop command-line-args-left)
      support-tmux (pop command-line-args-left))

(dolist (tests '("text-tests" "draw-tests" "prompt-tests" "server-tests" "eglot-tests"
                 "screen-tests"))
  (load tests nil t))

(support-run)

;;; run.el ends here
