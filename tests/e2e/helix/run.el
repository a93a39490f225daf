;;; run.el --- Runs the tests of Helix  -*- lexical-binding: t; -*-

;;; Commentary:

;; emacs -Q --batch -l run.el COUNTERSIGN FOLDER EMACS TMUX HELIX KIND [TESTS]
;; KIND is `prompts' or `none', for what this Helix has.
;; Helix runs in a terminal; this Emacs looks at the screen and presses keys.
;; `cargo xtask test editors' installs all of it and calls this.

;;; Code:

(let ((here (file-name-directory load-file-name)))
  (add-to-list 'load-path here)
  (add-to-list 'load-path (expand-file-name "../emacs" here)))

(require 'support)

(defvar helix-program nil "What starts Helix.")
(defvar helix-kind nil "Whether it has prompts: \"prompts\" or \"none\".")

(setq support-countersign (file-truename (pop command-line-args-left))
      support-folder (file-truename (pop command-line-args-left))
      support-emacs (pop command-line-args-left)
      support-tmux (pop command-line-args-left)
      helix-program (pop command-line-args-left)
      helix-kind (pop command-line-args-left))

(load "helix-tests" nil t)

(support-run)

;;; run.el ends here
