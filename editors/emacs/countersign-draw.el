;;; countersign-draw.el --- What a question looks like  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the Countersign authors
;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; Draws a question as text: the whole call, why it is asked about, what it
;; would do, and every key with what it means.  Each line of the call has a bar
;; before it, so that nothing in the call can pass for a line of ours.

;;; Code:

(require 'cl-lib)
(require 'countersign-text)

(defgroup countersign-faces nil
  "Faces of Countersign."
  :group 'countersign)

(defface countersign-title '((t :inherit bold))
  "What a prompt begins with.")

(defface countersign-call '((t :inherit fixed-pitch))
  "The call that is asked about.")

(defface countersign-asks '((t :inherit (warning fixed-pitch) :underline t))
  "The part of a call because of which it is asked about.")

(defface countersign-key '((t :inherit help-key-binding))
  "A key in a prompt.")

(defface countersign-bar '((t :inherit shadow))
  "The bar before the lines of a call.")

(cl-defstruct (countersign-ask (:constructor countersign-ask-make)
                               (:copier nil))
  "Something that waits for a person."
  connection
  (kind nil :documentation "`approval' or `question'.")
  (id nil :documentation "The id of the call, or of the server's request.")
  (data nil :documentation "The parameters that it came with.")
  (answered nil :documentation "Whether an answer is under way."))

(defun countersign-draw-titles (ask)
  "The titles of the answers to ASK, a question; the first is a no."
  (mapcar (lambda (action) (plist-get action :title))
          (plist-get (countersign-ask-data ask) :actions)))

(defun countersign-draw-summary (ask)
  "What ASK is about, on one line."
  (let ((data (countersign-ask-data ask)))
    (pcase (countersign-ask-kind ask)
      ('approval (countersign-text-line
                  (format "%s waits for your answer about %s"
                          (plist-get data :agent) (plist-get data :tool))))
      ('question "a question waits for your answer"))))

(defun countersign-draw-keys (ask)
  "The keys that answer ASK, in short; the no comes first."
  (pcase (countersign-ask-kind ask)
    ('approval "RET: deny   SPC: read on   a: approve once")
    ('question (concat "RET: " (or (car (countersign-draw-titles ask)) "close")
                       "   SPC: read on"))))

(defun countersign-draw (ask)
  "Insert ASK."
  (pcase (countersign-ask-kind ask)
    ('approval (countersign-draw--approval (countersign-ask-data ask)))
    ('question (countersign-draw--question ask))))

(defun countersign-draw--line (format &rest arguments)
  "Insert a line: FORMAT with ARGUMENTS, none of which leaves it."
  (insert (propertize
           (concat (countersign-text-line (apply #'format format arguments)) "\n")
           'wrap-prefix "      ")))

(defun countersign-draw--title (format &rest arguments)
  "Insert a line as a title: FORMAT with ARGUMENTS."
  (insert (propertize (countersign-text-line (apply #'format format arguments))
                      'face 'countersign-title)
          "\n"))

(defun countersign-draw--list (title lines)
  "Insert TITLE and LINES below it, if there are any."
  (when lines
    (insert "\n")
    (countersign-draw--title "%s" title)
    (dolist (line lines)
      (countersign-draw--line "  %s" line))))

(defun countersign-draw--barred (text)
  "Insert TEXT with a bar before each line, the wrapped ones too."
  (let ((bar (propertize "| " 'face 'countersign-bar)))
    (dolist (line (split-string text "\n"))
      (insert (propertize (concat bar line "\n") 'wrap-prefix bar)))))

(defun countersign-draw--call (text marks)
  "Insert TEXT, the whole call, with its MARKS."
  (let ((shown (propertize text 'face 'countersign-call)))
    (seq-do
     (lambda (mark)
       (when (eq (plist-get mark :asks) t)
         (let ((start (countersign-text-position text (plist-get mark :start)))
               (end (countersign-text-position text (plist-get mark :end))))
           (when (< start end)
             (put-text-property start end 'face 'countersign-asks shown)))))
     marks)
    (countersign-draw--barred (countersign-text-lines shown))))

(defun countersign-draw--times (count)
  "COUNT as how often."
  (if (= count 1) "once" (format "%d times" count)))

(defun countersign-draw-denials (counters limits)
  "COUNTERS against LIMITS, in words."
  (format "%d of %d blocks in a row, %d of %d without an answer, %d of %d in all"
          (plist-get counters :consecutiveBlock)
          (plist-get limits :consecutiveBlock)
          (plist-get counters :consecutiveUnavailable)
          (plist-get limits :consecutiveUnavailable)
          (+ (plist-get counters :totalBlock)
             (plist-get counters :totalUnavailable))
          (plist-get limits :total)))

(defun countersign-draw--key (key what)
  "Insert that KEY does WHAT."
  (insert "  " (propertize (format "%-4s" key) 'face 'countersign-key) " "
          (countersign-text-line what) "\n"))

(defun countersign-draw--parts (parts)
  "Insert PARTS of a call; one alone is the whole, which stands above."
  (when (cdr parts)
    (countersign-draw--list
     "Its parts"
     (mapcar (lambda (part)
               (format "%s  %s  (%s)"
                       (if (eq (plist-get part :fine) t) "fine" "asks")
                       (plist-get part :text) (plist-get part :why)))
             parts))))

(defun countersign-draw--approval (data)
  "Insert the approval that came with DATA."
  (let ((suggestions (append (plist-get data :suggestions) nil))
        (subagent (plist-get data :subagent)))
    (countersign-draw--title
     "%s%s wants to use %s" (plist-get data :agent)
     (if subagent (format " (sub-agent %s)" subagent) "")
     (plist-get data :tool))
    (countersign-draw--line "in %s, %s mode"
                            (plist-get data :cwd) (plist-get data :mode))
    (insert "\n")
    (countersign-draw--call (plist-get data :text) (plist-get data :marks))
    (insert "\n")
    (countersign-draw--line "Asked because %s: %s"
                            (plist-get data :why) (plist-get data :detail))
    (countersign-draw--list "It would" (append (plist-get data :effects) nil))
    (countersign-draw--parts (append (plist-get data :parts) nil))
    (countersign-draw--list "Rules that may be remembered" suggestions)
    (insert "\n")
    (countersign-draw--line
     "Denials: %s" (countersign-draw-denials (plist-get data :counters)
                                             (plist-get data :limits)))
    (let ((before (plist-get data :askedBefore)))
      (when (> before 0)
        (countersign-draw--line "Asked %s before"
                                (countersign-draw--times before))))
    (when-let* ((problem (plist-get (plist-get data :model) :problem)))
      (countersign-draw--line "No model judged it: %s" problem))
    (countersign-draw--line
     "Denied at %s unless answered"
     (format-time-string "%H:%M:%S" (/ (plist-get data :deadline) 1000)))
    (insert "\n")
    (countersign-draw--key "RET" "or d: deny")
    (countersign-draw--key "m" "deny, and tell the agent why")
    (countersign-draw--key "a" "approve this once")
    (when suggestions
      (countersign-draw--key "r" "approve, and remember rules"))
    (unless (member (plist-get data :mode) '("default" "plan"))
      (countersign-draw--key
       "s" "approve this once, and go on in default mode"))
    (countersign-draw--key "e" "explain; c: show the change; n, p: the next, the one before")
    (countersign-draw--key "q" "close, which denies; C-x o leaves it waiting")
    ;; No line feed at the end: what is last on the screen is the last key.
    (delete-char -1)))

(defun countersign-draw--question (ask)
  "Insert ASK, a question of the server with its answers."
  (let ((data (countersign-ask-data ask))
        (number 0))
    (countersign-draw--barred
     (countersign-text-lines (or (plist-get data :message) "")))
    (insert "\n")
    (dolist (title (countersign-draw-titles ask))
      (cl-incf number)
      (countersign-draw--key (if (= number 1) "RET" (number-to-string number))
                             (if (= number 1) (concat "or 1: " title) title)))
    (countersign-draw--key "q" "close, which answers nothing")
    (delete-char -1)))

(defun countersign-draw-show (name text)
  "Show TEXT in the buffer NAME, and go there."
  (with-current-buffer (get-buffer-create name)
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert (countersign-text-lines (or text "")))
      (goto-char (point-min)))
    (special-mode)
    (setq-local bidi-display-reordering nil)
    (unless (active-minibuffer-window)
      (pop-to-buffer (current-buffer)))
    (current-buffer)))

(provide 'countersign-draw)
;;; countersign-draw.el ends here
